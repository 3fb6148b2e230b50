"""The report: what a build kept, dropped and made comes in, pages and sheets of it go out."""
