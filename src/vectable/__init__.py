"""Vectable: embedding models from the tables people have.

Everything a user may import is listed here, and each name is imported when it is first asked for: `import vectable`
is quick, and torch comes in only when something trains or predicts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vectable._version import __version__

if TYPE_CHECKING:
    from vectable import insight as insight
    from vectable import lab as lab
    from vectable.data.encoders.bins import PiecewiseLinearBins as PiecewiseLinearBins
    from vectable.data.encoders.categorify import Categorify as Categorify
    from vectable.data.encoders.dates import date_parts as date_parts
    from vectable.data.encoders.dates import elapsed_to_event as elapsed_to_event
    from vectable.data.encoders.fill_missing import FillMissing as FillMissing
    from vectable.data.encoders.normalize import Normalize as Normalize
    from vectable.data.images.image_data import ImageData as ImageData
    from vectable.data.ratings.ratings_data import RatingsData as RatingsData
    from vectable.data.sets import catalogue
    from vectable.data.tables.table_data import TableData as TableData
    from vectable.data.tensors import TensorData as TensorData
    from vectable.errors import ArtifactError as ArtifactError
    from vectable.errors import DataError as DataError
    from vectable.errors import TrainingStopped as TrainingStopped
    from vectable.errors import UnknownNameError as UnknownNameError
    from vectable.errors import VectableError as VectableError
    from vectable.errors import VectableWarning as VectableWarning
    from vectable.estimators.entity_embedding import EntityEmbeddingEncoder as EntityEmbeddingEncoder
    from vectable.estimators.keeping import load_estimator as load_estimator
    from vectable.estimators.ratings import RatingRegressor as RatingRegressor
    from vectable.estimators.tabular import TabularClassifier as TabularClassifier
    from vectable.estimators.tabular import TabularRegressor as TabularRegressor
    from vectable.images.vision import VisionLearner as VisionLearner
    from vectable.images.vision import vision_learner as vision_learner
    from vectable.insight.components import pca as pca
    from vectable.insight.watch import watch as watch
    from vectable.loading import load_learner as load_learner
    from vectable.models.dot_bias import EmbeddingDotBias as EmbeddingDotBias
    from vectable.models.embedding_net import EmbeddingNet as EmbeddingNet
    from vectable.models.tabular import TabularModel as TabularModel
    from vectable.ratings.bayes import BayesLearner as BayesLearner
    from vectable.ratings.bayes import bayes_collab as bayes_collab
    from vectable.ratings.collab import CollabLearner as CollabLearner
    from vectable.ratings.collab import collab_learner as collab_learner
    from vectable.ratings.comparison import Comparison as Comparison
    from vectable.ratings.comparison import compare as compare
    from vectable.ratings.cross_validation import cross_validate as cross_validate
    from vectable.tables.tabular import TabularLearner as TabularLearner
    from vectable.tables.tabular import tabular_learner as tabular_learner
    from vectable.training.callbacks import Callback as Callback
    from vectable.training.callbacks import CSVLog as CSVLog
    from vectable.training.callbacks import EarlyStopping as EarlyStopping
    from vectable.training.callbacks import KeepBest as KeepBest
    from vectable.training.checkpoints import Checkpoint as Checkpoint
    from vectable.training.learner import Learner as Learner

    datasets = catalogue

_HOMES = {
    "load_learner": "vectable.loading",
    "BayesLearner": "vectable.ratings.bayes",
    "bayes_collab": "vectable.ratings.bayes",
    "CollabLearner": "vectable.ratings.collab",
    "collab_learner": "vectable.ratings.collab",
    "Comparison": "vectable.ratings.comparison",
    "compare": "vectable.ratings.comparison",
    "cross_validate": "vectable.ratings.cross_validation",
    "Categorify": "vectable.data.encoders.categorify",
    "RatingsData": "vectable.data.ratings.ratings_data",
    "ImageData": "vectable.data.images.image_data",
    "TensorData": "vectable.data.tensors",
    "ArtifactError": "vectable.errors",
    "DataError": "vectable.errors",
    "TrainingStopped": "vectable.errors",
    "UnknownNameError": "vectable.errors",
    "VectableError": "vectable.errors",
    "VectableWarning": "vectable.errors",
    "EntityEmbeddingEncoder": "vectable.estimators.entity_embedding",
    "load_estimator": "vectable.estimators.keeping",
    "RatingRegressor": "vectable.estimators.ratings",
    "TabularClassifier": "vectable.estimators.tabular",
    "TabularRegressor": "vectable.estimators.tabular",
    "pca": "vectable.insight.components",
    "watch": "vectable.insight.watch",
    "EmbeddingDotBias": "vectable.models.dot_bias",
    "EmbeddingNet": "vectable.models.embedding_net",
    "Callback": "vectable.training.callbacks",
    "CSVLog": "vectable.training.callbacks",
    "Checkpoint": "vectable.training.checkpoints",
    "EarlyStopping": "vectable.training.callbacks",
    "KeepBest": "vectable.training.callbacks",
    "FillMissing": "vectable.data.encoders.fill_missing",
    "Normalize": "vectable.data.encoders.normalize",
    "PiecewiseLinearBins": "vectable.data.encoders.bins",
    "TableData": "vectable.data.tables.table_data",
    "TabularLearner": "vectable.tables.tabular",
    "tabular_learner": "vectable.tables.tabular",
    "TabularModel": "vectable.models.tabular",
    "date_parts": "vectable.data.encoders.dates",
    "elapsed_to_event": "vectable.data.encoders.dates",
    "Learner": "vectable.training.learner",
    "VisionLearner": "vectable.images.vision",
    "vision_learner": "vectable.images.vision",
}
_MODULES = {"datasets": "vectable.data.sets.catalogue", "insight": "vectable.insight", "lab": "vectable.lab"}

__all__ = ["__version__", *_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    from vectable.deprecation import RENAMED, warn_renamed

    if name in RENAMED:
        warn_renamed(name, RENAMED[name])
        return __getattr__(RENAMED[name])
    raise AttributeError(f"module 'vectable' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
