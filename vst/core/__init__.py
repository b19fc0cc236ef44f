"""What every layer uses: types, tables, files, limits, locks, threads, time codes."""
