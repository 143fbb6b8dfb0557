"""What `check_arm64.sh` has done on both architectures."""
