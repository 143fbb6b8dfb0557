"""The parts of tools/torture.py: a program that is killed, who kills it, and what is checked."""
