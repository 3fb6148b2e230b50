"""The exit code of a command that has run nothing."""

EXIT_NOTHING_RAN = 40  # as Luigi's, by [retcode] of luigi.cfg
