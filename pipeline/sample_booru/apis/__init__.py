"""The APIs of the sample booru: those of the boards that Senga speaks, each under its own path."""
