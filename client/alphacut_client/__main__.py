"""``python -m alphacut_client``: the same as ``alphacut``."""

from alphacut_client.main import main

if __name__ == "__main__":
    main()
