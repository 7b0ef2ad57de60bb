"""The command line `por`: one module per command; exit codes and --json are a contract."""
