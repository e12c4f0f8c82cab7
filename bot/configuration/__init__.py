"""`.github/issue-tagger.yml`: from a file's text to what a repository wants of the bot.

Pure: no HTTP, no clock, no environment. Every problem names its line, its key and the way out.
"""

from bot.configuration.model import RepositoryConfiguration
from bot.configuration.problems import Problem
from bot.configuration.reading import parse
from bot.configuration.values import Mode

__all__ = ["Mode", "Problem", "RepositoryConfiguration", "parse"]
