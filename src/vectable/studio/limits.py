"""What a project, an upload and an archive may take."""

UPLOAD_BYTES = 1_000_000_000  # of one file
FREE_BYTES = 200_000_000  # that an upload leaves on the disk
BODY_BYTES = 1_000_000  # of a question, all but uploads
ROWS_BYTES = 20_000_000  # of a CSV file of rows to predict

ARCHIVED_FILES = 50_000
ARCHIVED_BYTES = 4_000_000_000  # of all files of an archive, unpacked

POLL_SECONDS = 8.0  # that a question for events waits for the next
QUESTION_SECONDS = 600.0  # from a request's headers to its answer: reading a large table takes a while
REQUESTS = 200  # under way at once

MOST_POINTS = 10_000  # of a map, where no other number is asked for
MOST_PREDICTED = 100_000  # rows of a CSV file
MOST_LISTED = 100_000  # users in recommendations.csv
