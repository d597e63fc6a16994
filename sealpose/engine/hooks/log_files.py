"""A full disk must not end a run because of its log."""

import logging
from typing import Any

from mmengine.fileio import dump
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend

from sealpose.engine.patient_file import PatientFile
from sealpose.registry import HOOKS


@HOOKS.register_module()
class LogFilesHook(Hook):
    """Lets a run go on while its log files cannot be written, as on a full disk.

    mmengine ends the run when a line of ``scalars.json`` fails, and prints a traceback
    for every line of the text log. With this hook there is one warning for each file,
    the lines wait in memory, and are written when that works again. TensorBoard and
    backends of other services write for themselves.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._files: dict[str, PatientFile] = {}

    def before_run(self, runner: Runner) -> None:
        """Write the text log and the scalars through :class:`PatientFile`."""
        logger = runner.logger
        for handler in list(logger.handlers):
            if isinstance(handler, logging.FileHandler):
                file = self._file(handler.baseFilename, logger)
                logger.addHandler(PatientFileHandler(handler, file))
                logger.removeHandler(handler)
                handler.close()
        for backend in runner.visualizer._vis_backends.values():
            if isinstance(backend, LocalVisBackend):
                self._replace_dump(backend, logger)

    def after_run(self, runner: Runner) -> None:
        """Say what is lost, if the disk is still full."""
        for file in list(self._files.values()):
            file.close()

    def _replace_dump(self, backend: LocalVisBackend, logger: MMLogger) -> None:
        def append(value_dict: dict, file_path: str, file_format: str) -> None:
            line = dump(value_dict, file_format=file_format)
            self._file(file_path, logger).append(line)

        backend._dump = append

    def _file(self, path: str, logger: MMLogger) -> PatientFile:
        if path not in self._files:
            self._files[path] = PatientFile(path, logger.warning)
        return self._files[path]


class PatientFileHandler(logging.Handler):
    """Writes a text log in place of another handler, with its level, form and filters.

    Args:
        replaced: The other handler.
        file: Where to.
    """

    def __init__(self, replaced: logging.Handler, file: PatientFile) -> None:
        super().__init__(replaced.level)
        self.setFormatter(replaced.formatter)
        self.filters = list(replaced.filters)
        self._file = file

    def emit(self, record: Any) -> None:
        """Write a record, now or later."""
        self._file.append(self.format(record))
