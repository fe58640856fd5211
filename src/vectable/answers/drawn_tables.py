"""Answers of draws from the posterior, from the parts of a saved folder."""

from functools import partial

from vectable.answers.drawn_recommender import DrawnRecommender, DrawnUser
from vectable.answers.learned_tables import LearnedTables
from vectable.artifact import ArrayContents
from vectable.ratings.bayes_folder import BayesFolder


def drawn_tables(contents: ArrayContents) -> LearnedTables:
    """What answers from the contents of a folder of draws.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    folder = BayesFolder.from_parts(contents.settings, contents.arrays, contents.tables)
    answers = folder.answers()
    known = DrawnRecommender(answers)
    timestamp = folder.data.columns.timestamp if folder.options.user_day_bias else None
    tables = LearnedTables(
        known, answers.posterior.predict, partial(DrawnUser, known, answers), contents.version, timestamp, True
    )
    tables.recommend("", 1)  # the first questions make what all others use
    tables.fold_in({}, 1)
    tables.explain("", answers.data.item_ids.vocabulary[0], 1)
    return tables
