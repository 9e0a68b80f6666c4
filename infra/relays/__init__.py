"""Where the relay runs: Lambda Web Functions, Fargate, or nowhere."""
