"""The pages of the service: its jobs as people see them."""
