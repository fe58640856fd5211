"""The public names of a package, written once: in the stub `__init__.pyi`, which type checkers and editors read too."""

from importlib import import_module

TREE_ONLY = 0x400  # ast.PyCF_ONLY_AST; importing `ast` would cost more than reading the stub


class PublicNames:
    """What `__init__.pyi` offers, as type checkers understand it, each name imported when it is first asked for.

    ``from package.a import B as B`` offers B from package.a, and ``from package import a as a`` a module. What is
    imported without ``as`` is not offered, but ``C = B`` may give it the public name C.

    Args:
        package: ``__name__`` of the package.
        path: ``__file__`` of the package; the stub stands beside it.

    Attributes:
        names: the public names, in the order of the stub.

    Raises:
        ValueError: the stub holds anything else.
    """

    def __init__(self, package: str, path: str):
        self._package = package
        self._homes: dict[str, tuple[str, str]] = {}
        public: list[str] = []
        stub = path.rpartition(".")[0] + ".pyi"
        with open(stub, encoding="utf-8") as file:
            lines = compile(file.read(), stub, "exec", TREE_ONLY).body
        for line in lines[1:]:  # after the docstring
            kind = type(line).__name__
            if kind == "ImportFrom":
                self._homes |= {alias.name: (line.module, alias.name) for alias in line.names}
                public += [alias.name for alias in line.names if alias.asname == alias.name]
            elif kind == "Assign":
                self._homes[line.targets[0].id] = self._homes[line.value.id]
                public.append(line.targets[0].id)
            else:
                raise ValueError(f"{stub}, line {line.lineno}: a list of public names holds imports and new names.")
        self.names = tuple(public)

    def find(self, name: str) -> object:
        """The object of a public name.

        Raises:
            KeyError: the stub has no such name.
        """
        module, attribute = self._homes[name]
        if module == self._package:
            return import_module(f"{module}.{attribute}")
        home = import_module(module)
        return getattr(home, attribute) if hasattr(home, attribute) else import_module(f"{module}.{attribute}")
