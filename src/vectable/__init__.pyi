"""Every public name of the package. This file is the only list: `vectable/__init__.py` reads it."""

from vectable import insight as insight
from vectable import lab as lab
from vectable._version import __version__ as __version__
from vectable.data.encoders.bins import PiecewiseLinearBins as PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify as Categorify
from vectable.data.encoders.dates import date_parts as date_parts
from vectable.data.encoders.dates import elapsed_to_event as elapsed_to_event
from vectable.data.encoders.fill_missing import FillMissing as FillMissing
from vectable.data.encoders.normalize import Normalize as Normalize
from vectable.data.images.image_data import ImageData as ImageData
from vectable.data.interactions.interactions_data import InteractionsData as InteractionsData
from vectable.data.ratings.ratings_data import RatingsData as RatingsData
from vectable.data.sets import catalogue
from vectable.data.tables.table_data import TableData as TableData
from vectable.data.tensors import TensorData as TensorData
from vectable.errors import ArtifactError as ArtifactError
from vectable.errors import DataError as DataError
from vectable.errors import NonFiniteLossError as NonFiniteLossError
from vectable.errors import UnknownNameError as UnknownNameError
from vectable.errors import VectableError as VectableError
from vectable.errors import VectableWarning as VectableWarning
from vectable.estimators.entity_embedding import EntityEmbeddingEncoder as EntityEmbeddingEncoder
from vectable.estimators.persistent import load_estimator as load_estimator
from vectable.estimators.ratings import RatingRegressor as RatingRegressor
from vectable.estimators.tabular import TabularClassifier as TabularClassifier
from vectable.estimators.tabular import TabularRegressor as TabularRegressor
from vectable.images.vision import VisionLearner as VisionLearner
from vectable.images.vision import vision_learner as vision_learner
from vectable.insight.components import pca as pca
from vectable.insight.watch import watch as watch
from vectable.interactions.evaluate import evaluate as evaluate
from vectable.interactions.implicit import ImplicitLearner as ImplicitLearner
from vectable.interactions.implicit import implicit_learner as implicit_learner
from vectable.interactions.next_item import NextItemLearner as NextItemLearner
from vectable.interactions.next_item import next_item_learner as next_item_learner
from vectable.loading import load_learner as load_learner
from vectable.models.dot_bias import EmbeddingDotBias as EmbeddingDotBias
from vectable.models.embedding_net import EmbeddingNet as EmbeddingNet
from vectable.models.tabular import TabularModel as TabularModel
from vectable.ratings.bayes import BayesLearner as BayesLearner
from vectable.ratings.bayes import bayes_collab_learner as bayes_collab_learner
from vectable.ratings.collab import CollabLearner as CollabLearner
from vectable.ratings.collab import collab_learner as collab_learner
from vectable.ratings.comparison import Comparison as Comparison
from vectable.ratings.comparison import compare as compare
from vectable.ratings.cross_validation import cross_validate as cross_validate
from vectable.tables.tabular import TabularLearner as TabularLearner
from vectable.tables.tabular import tabular_learner as tabular_learner
from vectable.training.callbacks import CSVLogger as CSVLogger
from vectable.training.callbacks import EarlyStopping as EarlyStopping
from vectable.training.callbacks import RestoreBest as RestoreBest
from vectable.training.checkpoints import Checkpoint as Checkpoint
from vectable.training.hooks import Callback as Callback
from vectable.training.learner import Learner as Learner

datasets = catalogue
