"""What is said to people, in their languages: texts and the tables that translate them."""
