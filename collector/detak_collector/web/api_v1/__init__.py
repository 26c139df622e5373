"""The JSON API for programs that read: services, outages, figures, nodes and checks, each as the pages show it."""
