"""Answers over HTTP: an application that other programs mount, and the processes that `vectable serve` starts."""
