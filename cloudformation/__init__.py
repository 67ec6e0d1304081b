"""The CloudFormation templates, and the commands that deploy and destroy them."""
