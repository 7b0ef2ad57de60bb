"""What a plan pays, in the forms that pay: claims for a contract, lists, unsigned transactions; none is signed here."""
