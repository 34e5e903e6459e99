"""Make the Grafana dashboards: style, panels, queries and dashboards as code, JSON as output."""
