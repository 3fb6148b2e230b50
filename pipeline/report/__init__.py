"""The report: from what a build kept, dropped and made to a page and contact sheets."""
