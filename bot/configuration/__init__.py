"""`.github/issue-tagger.yml`: from a file's text to what a repository wants of the bot.

Pure: no HTTP, no clock, no environment. Every problem names its line, its key and the way out.
"""

from bot.configuration.model import Mode, RepositoryConfiguration
from bot.configuration.problems import Problem
from bot.configuration.reading import parse

__all__ = ["Mode", "Problem", "RepositoryConfiguration", "parse"]
