"""The weights that every repository's duplicates are found with.

Fitted by `docs/benchmarks/duplicates.py --fit` on 114 pairs of huggingface/datasets that were read
and judged, beside 4,000 pairs taken as different. Which probability is high enough is measured in
each repository; the weights only put its pairs into an order.
"""

from tagger.duplicates.similarity import Weights

WEIGHTS = Weights(-9.48, (5.06, 3.81, 2.48, 4.17, -2.02))
