"""The supply chain: what nhip consists of, one archive that installs it without a network, and its proof."""
