"""Tables and skeletons from CAVE itself, through caveclient."""
