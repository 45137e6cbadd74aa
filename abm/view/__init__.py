"""What people look at: the summary on the terminal, figures, and the report."""
