"""Who may come in: users, groups, robots, tokens, sessions and the directories behind them."""
