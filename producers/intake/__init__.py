"""The HTTP intake: events from systems that cannot speak to Kafka."""

from producers.intake.grants import IntakeToken, IntakeTokenFile
from producers.intake.routes import intake_router
from producers.intake.service import Intake, IntakeLimits

__all__ = ["Intake", "IntakeLimits", "IntakeToken", "IntakeTokenFile", "intake_router"]
