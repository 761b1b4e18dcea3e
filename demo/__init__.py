"""The demo: a model is deployed, a better one promoted, a worse one taken back, on a real Kubernetes."""
