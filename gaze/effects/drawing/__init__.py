"""What effects draw with: blending, masks, shapes, image pyramids, magnification."""
