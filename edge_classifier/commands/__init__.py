"""One module per command; what each needs is imported when it runs."""
