"""What the lesson printed: lesson 5 of fast.ai's course of 2018/19, its notebooks and its workbooks."""

TRAIN_LOSS = (0.938132, 0.862458, 0.753191, 0.667046, 0.546363)
VALID_LOSS = (0.928146, 0.885790, 0.831451, 0.814966, 0.813588)
EMBEDDINGS = (944, 1654)
LIBREC_RMSE = 0.91
TOP_FILMS = 1000  # of which biases and factors are asked

WORST_BY_BIAS = (
    "Children of the Corn: The Gathering (1996)",
    "Lawnmower Man 2: Beyond Cyberspace (1996)",
    "Island of Dr. Moreau, The (1996)",
    "Mortal Kombat: Annihilation (1997)",
    "Cable Guy, The (1996)",
    "Leave It to Beaver (1997)",
    "Crow: City of Angels, The (1996)",
    "Striptease (1996)",
    "Free Willy 3: The Rescue (1997)",
    "Barb Wire (1996)",
    "Grease 2 (1982)",
    "Beverly Hills Ninja (1997)",
    "Joe's Apartment (1996)",
    "Bio-Dome (1996)",
    "Stephen King's The Langoliers (1995)",
)
BEST_BY_BIAS = (
    "Schindler's List (1993)",
    "Titanic (1997)",
    "Shawshank Redemption, The (1994)",
    "L.A. Confidential (1997)",
    "Rear Window (1954)",
    "Silence of the Lambs, The (1991)",
    "Star Wars (1977)",
    "Good Will Hunting (1997)",
    "As Good As It Gets (1997)",
    "Casablanca (1942)",
    "Boot, Das (1981)",
    "Close Shave, A (1995)",
    "Apt Pupil (1998)",
    "Vertigo (1958)",
    "Godfather, The (1972)",
)
FACTOR_ENDS = (
    (
        (
            "Chinatown (1974)",
            "Wrong Trousers, The (1993)",
            "Casablanca (1942)",
            "Close Shave, A (1995)",
            "Secrets & Lies (1996)",
            "Lawrence of Arabia (1962)",
            "12 Angry Men (1957)",
            "Some Folks Call It a Sling Blade (1993)",
            "Ran (1985)",
            "Third Man, The (1949)",
        ),
        (
            "Jungle2Jungle (1997)",
            "Children of the Corn: The Gathering (1996)",
            "Home Alone 3 (1997)",
            "McHale's Navy (1997)",
            "Bio-Dome (1996)",
            "D3: The Mighty Ducks (1996)",
            "Leave It to Beaver (1997)",
            "Congo (1995)",
            "Batman & Robin (1997)",
            "Flipper (1996)",
        ),
    ),
    (
        (
            "Ready to Wear (Pret-A-Porter) (1994)",
            "Keys to Tulsa (1997)",
            "Nosferatu (Nosferatu, eine Symphonie des Grauens) (1922)",
            "Trainspotting (1996)",
            "Brazil (1985)",
            "Heavenly Creatures (1994)",
            "Clockwork Orange, A (1971)",
            "Beavis and Butt-head Do America (1996)",
            "Rosencrantz and Guildenstern Are Dead (1990)",
            "Jude (1996)",
        ),
        (
            "Braveheart (1995)",
            "Raiders of the Lost Ark (1981)",
            "Titanic (1997)",
            "Forrest Gump (1994)",
            "It's a Wonderful Life (1946)",
            "American President, The (1995)",
            "Top Gun (1986)",
            "Hunt for Red October, The (1990)",
            "Sleepless in Seattle (1993)",
            "Pretty Woman (1990)",
        ),
    ),
)
"""Both ends of the first two principal components of the films' factors."""

MOST_RATED = (
    "Star Wars (1977)",
    "Contact (1997)",
    "Fargo (1996)",
    "Return of the Jedi (1983)",
    "Liar Liar (1997)",
    "English Patient, The (1996)",
    "Scream (1996)",
    "Toy Story (1995)",
    "Air Force One (1997)",
    "Independence Day (ID4) (1996)",
)
MEAN_RATINGS = {
    "Children of the Corn: The Gathering (1996)": 1.3157894736842106,
    "Schindler's List (1993)": 4.466442953020135,
}

DIGITS = {"training loss": 0.148536, "validation loss": 0.135789, "accuracy": 0.9608}
WORKBOOK_RMSE = {"dot product": 0.3930154712865702, "with biases": 0.3194674135586278}
ENTROPIES = (0.30, 0.01, 1.0)
"""Of cat 0.5, cat 0.98 and a dog taken for a cat with 0.9."""

PAPER_MAPE = {
    ("KNN", "shuffled"): (0.315, 0.099),
    ("random forest", "shuffled"): (0.167, 0.089),
    ("gradient boosting", "shuffled"): (0.122, 0.071),
    ("neural net", "shuffled"): (0.070, 0.070),
    ("KNN", "in order of time"): (0.290, 0.116),
    ("random forest", "in order of time"): (0.158, 0.108),
    ("gradient boosting", "in order of time"): (0.152, 0.115),
    ("neural net", "in order of time"): (0.101, 0.093),
}
"""Mean absolute percentage error on Rossmann without and with entity embeddings (Guo & Berkhahn, arXiv 1604.06737)."""
