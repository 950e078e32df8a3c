"""What is wrong with the exports: rules over a LintContext, one function each, in rules_*.py.

run asks the host for the facts and applies all rules. To add one: write the function, name it in RULES of its file,
describe what it finds in findings.yaml.
"""
