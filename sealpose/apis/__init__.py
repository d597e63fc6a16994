"""What a script imports: load a config, train, evaluate."""

from sealpose.apis.config import config_name, load_config
from sealpose.apis.evaluate import build_tester, evaluate
from sealpose.apis.train import build_trainer

__all__ = ['build_tester', 'build_trainer', 'config_name', 'evaluate', 'load_config']
