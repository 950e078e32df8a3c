"""What is said to people in two languages. Here: a sentence, how facts get into it, and which language a person reads.
The sentences themselves are data beside the code that says them.
"""
