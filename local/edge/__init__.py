"""The CloudFront emulator: the distribution in front of the API, with the functions of `edge/` as deployed."""
