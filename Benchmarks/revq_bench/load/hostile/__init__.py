"""Bodies that cost their sender little and a careless reader much. All are made here, from nothing, and are the same at every call."""
