"""How fast Alphacut is: the bench that compares it with its peers on one machine."""
