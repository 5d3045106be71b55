// The product's name, the same in every language.
export const PRODUCT = "Yagura";
export const PRODUCT_SIGN = "櫓";
