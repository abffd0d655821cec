"""SIMULATORS of what others run: ways of signing in, with fictitious people. They run only beside a node with
`environment = "test"`, under a test authority, and a production node believes nothing that they say."""
