"""The demo: servers, a client that judges answers, the tables. The end-to-end tests use the first two as well."""
