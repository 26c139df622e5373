"""What looks after a serving collector: alarms, health, logs, metrics, the doctor."""
