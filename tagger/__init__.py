"""The machine learning of issue-tagger: text and labels in, calibrated decisions out.

Knows neither SQL nor HTTP nor the environment; importing it loads no model and no torch.
"""

__version__ = "0.1.0"
