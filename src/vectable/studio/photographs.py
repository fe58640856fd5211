"""A first look at a folder of photographs. Runs beside the server."""

from collections import Counter
from pathlib import Path
from typing import Any

from vectable.data.images.image_files import list_images
from vectable.studio.looking import noting


def look_at_photographs(folder: Path) -> dict[str, Any]:
    """The classes of a folder with a folder for each, and how many images each has.

    Returns:
        "rows" (images), "classes" (``{"name", "count"}``), "columns" (none), "notes".

    Raises:
        DataError: it holds no images, or not in a folder for each class.
    """
    with noting() as notes:
        found = list_images(folder)
    counts = Counter(found.labels)
    classes = [{"name": name, "count": counts[at]} for at, name in enumerate(found.classes)]
    return {"rows": len(found), "classes": classes, "columns": [], "notes": list(notes)}
