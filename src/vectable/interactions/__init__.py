"""The application for interactions without ratings: what somebody would take, and what comes next."""
