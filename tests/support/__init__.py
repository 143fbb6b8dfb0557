"""What tests of several rooms share: fakes, fixtures, pictures."""
