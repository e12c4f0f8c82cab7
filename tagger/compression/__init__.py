"""From a release that serves to a small one: its teacher, the search for a recipe, the student.

Comes in from: `bot.learning`. The student itself is built in `distillation`.
Each finished step is a checkpoint.
"""
