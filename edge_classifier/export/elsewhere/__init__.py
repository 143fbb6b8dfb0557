"""Models for those who go elsewhere: other frameworks, browsers, microcontrollers."""
