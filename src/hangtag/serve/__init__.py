"""A trained model as a real-time service: app (what is answered), guard (who is let in), server (the process), page."""
