"""`python -m tidegate_operator`."""

from tidegate_operator.main import main

main()
