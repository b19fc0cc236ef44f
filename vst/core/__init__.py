"""What every layer uses: types, tables, limits, locks, threads, time codes."""
