"""The sections of a report, one per file: functions from what was measured to what the template shows."""
